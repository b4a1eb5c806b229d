"""The integer model: its layers, file and rules, what it computes, how far its values reach."""
