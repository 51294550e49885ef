"""llmsim's own endpoints: health, statistics, metrics, requests, configuration, dashboard."""
