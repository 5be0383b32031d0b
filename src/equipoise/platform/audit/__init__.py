"""The record of every act: a hash chain a study, and Merkle roots of what participants sent."""
