"""Parts of llmsim as plain functions, for programs that want no server: answers planned, tokens
counted, texts made. What ``import llmsim`` offers by name is here."""
