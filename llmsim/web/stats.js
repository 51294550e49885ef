/**
 * The document of `/llmsim/stats`. Servers of other versions may leave parts out.
 *
 * @typedef {Partial<Record<"avg" | "min" | "max" | "p50" | "p95" | "p99", number>>} Times milliseconds
 *
 * @typedef {object} Worker
 * @property {number} slot
 * @property {number} pid
 * @property {number} since Unix time
 * @property {number | null} [rss_bytes]
 * @property {number | null} [cpu_s]
 * @property {number | null} [lag_ms]
 * @property {number | null} [open_connections]
 *
 * @typedef {object} Limit
 * @property {string} rule
 * @property {string} [key]
 * @property {string} [model]
 * @property {string} what
 * @property {number} limit
 * @property {number} remaining
 * @property {number} [reset_s]
 *
 * @typedef {object} Recent the last seconds' times, null where nothing happened
 * @property {Times | null} [latency_ms]
 * @property {Times | null} [ttft_ms]
 * @property {Times | null} [itl_ms]
 * @property {Times | null} [lateness_ms]
 * @property {Times | null} [arrival_lag_ms]
 * @property {Times | null} [output_lag_ms]
 *
 * @typedef {object} Model
 * @property {number} [requests]
 * @property {number} [prompt]
 * @property {number} [completion]
 * @property {number} [errors]
 *
 * @typedef {object} Stats
 * @property {string} [version]
 * @property {number} uptime_s
 * @property {Worker[]} workers
 * @property {number} [worker_restarts]
 * @property {{total: number, finished: number, aborted: number, active: number,
 *   active_streaming: number}} requests
 * @property {Record<string, number>} endpoints
 * @property {Record<string, Model>} models
 * @property {Record<string, number>} statuses
 * @property {{total: number, by_kind?: Record<string, {injected: number, real: number}>}} errors
 * @property {number} [rate_limited]
 * @property {Limit[]} [rate_limits]
 * @property {{prompt: number, completion: number}} tokens
 * @property {Times} latency_ms
 * @property {Times} ttft_ms
 * @property {Times} [itl_ms]
 * @property {Times} [queue_ms]
 * @property {Times} lateness_ms
 * @property {Times} [arrival_lag_ms] from the socket to the handler
 * @property {Times} [output_lag_ms] from the scheduler to the socket
 * @property {Times} [delivery_lateness_ms] from due to the socket
 * @property {Recent | null} [recent]
 * @property {number} [generation] another one once the configuration has changed
 */
export {};
