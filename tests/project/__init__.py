"""What surrounds the code: automation, decisions, documents."""
