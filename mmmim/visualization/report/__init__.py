"""Self-contained HTML pages: no script, no network, charts as inline SVG, pictures inlined."""
