-- Sends the raw request in the file it is given, writes its tally as one line of JSON.
-- Where the request holds the placeholder, each request gets a number of its own.

local placeholder = "@@@@@@@@"
local threads = 0

function setup(thread)
  thread:set("number", threads * 10000000)
  threads = threads + 1
end

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local whole = file:read("*a")
  file:close()
  local from, to = whole:find(placeholder, 1, true)
  if from then
    before, after = whole:sub(1, from - 1), whole:sub(to + 1)
  else
    before = whole
  end
end

function request()
  if not after then return before end
  number = number + 1
  return before .. string.format("%08d", number) .. after
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"status":%d,"socket":%d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
