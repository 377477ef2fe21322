-- The same GET again and again. Arguments: the headers, name and value in turn.
require("report")

local message

function init(arguments)
    local headers = {}
    for at = 1, #arguments - 1, 2 do headers[arguments[at]] = arguments[at + 1] end
    message = wrk.format("GET", nil, headers)
end

function request()
    return message
end
