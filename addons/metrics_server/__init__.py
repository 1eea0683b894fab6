"""metrics-server: the metrics API, which autoscalers and `kubectl top` ask."""
