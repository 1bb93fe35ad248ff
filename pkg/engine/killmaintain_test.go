package engine

const maintainingChildEnv = "CAMBIUM_TEST_MAINTAINING_CHILD_DIR" // set in the child: its data directory

func runMaintainingChild() int { return 1 }
