-- One POST for each line of a file: path, subscriber and proof between tabs. Arguments: the environment's slug,
-- the file. Past its end it begins again, which whoever reads the figures must rule out.
require("report")

local messages, number = {}, 0

function init(arguments)
    for line in io.lines(arguments[2]) do
        local path, subscriber, proof = line:match("(.*)\t(.*)\t(.*)")
        messages[#messages + 1] = wrk.format("POST", path, {
            ["X-Bellwire-Environment"] = arguments[1],
            ["X-Bellwire-Subscriber"] = subscriber,
            ["X-Bellwire-Subscriber-Hash"] = proof,
        })
    end
end

function request()
    number = number % #messages + 1
    return messages[number]
end
