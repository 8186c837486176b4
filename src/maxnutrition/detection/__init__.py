"""What an object detector saw on a photo: hints for a model that names foods, never an answer by themselves."""
