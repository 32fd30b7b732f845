"""What the engine runs: the folder as a plugin."""

from eks_load_balancing.plugin import main

if __name__ == "__main__":
    main()
