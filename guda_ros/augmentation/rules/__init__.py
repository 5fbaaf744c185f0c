"""What guides are made of: kinds of rules, and how they aim, draw and take steps."""
