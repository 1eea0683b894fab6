"""Chat: plain language in, todo actions and an answer out."""
