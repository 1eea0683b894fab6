"""Prometheus metrics, served on a port of their own (METRICS_PORT), which is not published."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("todo_http_requests_total", "HTTP requests", ["method", "route", "status"])
LATENCY = Histogram(
    "todo_http_request_duration_seconds",
    "Time until the response was complete",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
IN_FLIGHT = Gauge("todo_http_requests_in_flight", "HTTP requests being answered")
DATABASE_RETRIES = Counter("todo_database_retries_total", "Transactions that were tried again")
DATABASE_UNAVAILABLE = Counter(
    "todo_database_unavailable_total", "Requests given up because the database was away"
)
SIGN_INS = Counter("todo_sign_ins_total", "Sign-in attempts", ["result"])
CHAT_MESSAGES = Counter("todo_chat_messages_total", "Chat messages answered", ["mode"])
