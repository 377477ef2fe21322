-- The same GETs again and again, in turn. Arguments: the headers of each, name and value in turn; `|` between.
require("report")

local messages = {}
local sent = 0

function init(arguments)
    local headers = {}
    local at = 1
    while at <= #arguments do
        if arguments[at] == "|" then
            table.insert(messages, wrk.format("GET", nil, headers))
            headers = {}
            at = at + 1
        else
            headers[arguments[at]] = arguments[at + 1]
            at = at + 2
        end
    end
    table.insert(messages, wrk.format("GET", nil, headers))
end

function request()
    sent = sent + 1
    return messages[sent % #messages + 1]
end
