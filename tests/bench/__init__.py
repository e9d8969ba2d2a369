"""What the system reaches, measured beside a baseline in one alternating run: see docs/performance.md."""
