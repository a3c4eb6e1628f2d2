"""What things are and the rules about them: pure, standard library only."""
