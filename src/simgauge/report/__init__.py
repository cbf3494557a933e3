"""From a plain summary to figures, HTML and Markdown. No number is computed here."""
