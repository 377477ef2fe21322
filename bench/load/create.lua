-- POST /v1/notifications. Arguments: the API key, a prefix for idempotency keys, the recipients of a
-- request, and how many subscribers (crowd-1 to crowd-N) there are; each request is to the next of them.
require("report")

local key_prefix, recipients, crowd, number, headers

function init(arguments)
    headers = {["Authorization"] = "Bearer " .. arguments[1], ["Content-Type"] = "application/json"}
    key_prefix, recipients, crowd = arguments[2], tonumber(arguments[3]), tonumber(arguments[4])
    number = 0
end

local function next_subscriber(nth)
    -- 7919 is prime: neighbours in time are not neighbours in an index.
    return '"crowd-' .. ((number * recipients + nth) * 7919 % crowd + 1) .. '"'
end

function request()
    number = number + 1
    local to
    if recipients == 0 then
        to = ""
    elseif recipients == 1 then
        to = '"subscriber_id":' .. next_subscriber(0) .. ","
    else
        local names = {}
        for nth = 1, recipients do names[nth] = next_subscriber(nth) end
        to = '"subscriber_ids":[' .. table.concat(names, ",") .. "],"
    end
    local body = "{" .. to .. '"category":"comment","idempotency_key":"' .. key_prefix .. number
        .. '","payload":{"title":"Grace replied to you","body":"I have just read your draft, and have two'
        .. ' questions.","action_url":"https://example.com/drafts/' .. number .. '"}}'
    return wrk.format("POST", nil, headers, body)
end
