"""Four eyes: what nobody does alone is asked for by one person and approved by another.

Above fieldwork, because what is approved is done in the same transaction, and an erasure takes the answers.
"""
