-- What a run measured, as the last line of the output: see Load in wrk.py.

function done(summary, latency, requests)
    local errors = summary.errors
    print(string.format(
        '{"requests":%d,"per_s":%.1f,"p50":%.3f,"p99":%.3f,"failed":%d}',
        summary.requests, summary.requests / summary.duration * 1e6,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
