"""The data as they are looked at and leave: exclusions decided blind, the seal, looks by arm, exports."""
