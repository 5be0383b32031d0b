"""What is asked of a diagnosis: curves, detectable effects, money, other designs, closed forms, advice."""
