"""The rules: what each operation of the contract does. Services know neither HTTP nor websockets."""
