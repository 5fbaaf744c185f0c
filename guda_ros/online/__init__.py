"""Learning while acting, with stable-baselines3."""
