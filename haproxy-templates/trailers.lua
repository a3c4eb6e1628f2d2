-- Refuses requests with trailers: headers after the body, which our rules do not see, and which
-- uvicorn and others treat as headers, even as those that only a proxy may set. HAProxy before 3.2
-- has no other way, and the option http-drop-request-trailers of 3.2.0 drops those of responses
-- instead (https://github.com/haproxy/haproxy/issues/2930).
-- The API: https://www.arpalert.org/src/haproxy-lua-api/2.6/index.html#filter-class

local Trailers = {}
Trailers.id = "paas-trailers"
Trailers.flags = filter.FLT_CFG_FL_HTX
Trailers.__index = Trailers

function Trailers:new()
    return setmetatable({}, Trailers)
end

function Trailers:http_headers(txn, message)
    if not message.channel:is_resp() then
        filter.register_data_filter(self, message.channel)
    end
end

-- Trailers come last, followed by an end mark of one byte, which is also present without trailers.
-- So the byte before the last belongs to the body, unless there is a trailer: then body() is nil.
-- An error is answered with 400, and none of the data examined here is sent to the app.
function Trailers:http_payload(txn, message)
    if message:input() > 1 and message:body(-2) == nil then
        error("refused a request with trailers", 0)
    end
end

core.register_filter("paas-trailers", Trailers, function(class) return class end)
