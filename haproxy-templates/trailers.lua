-- Refuses requests with trailers: headers behind the body, which none of our rules see, and which
-- uvicorn and others take for headers, also for those that only a proxy may set. HAProxy before 3.2
-- has nothing else against them, and the option http-drop-request-trailers of 3.2.0 drops those of
-- answers in their place (https://github.com/haproxy/haproxy/issues/2930).
-- The interface: https://www.arpalert.org/src/haproxy-lua-api/2.6/index.html#filter-class

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

-- Trailers come last, and then a mark of one byte that ends them, which is there without any as
-- well. So the last byte but one is of the body, or there is a trailer: then body() is nil.
-- An error is answered with 400, and nothing of what is looked at here goes to the app.
function Trailers:http_payload(txn, message)
    if message:input() > 1 and message:body(-2) == nil then
        error("refused a request with trailers", 0)
    end
end

core.register_filter("paas-trailers", Trailers, function(class) return class end)
