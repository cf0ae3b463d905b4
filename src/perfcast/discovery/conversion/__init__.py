"""The short-lived process that turns one model file into one ONNX graph; nothing else imports this.

`__main__` reads an order and answers with an outcome. `_confinement` shuts the process in before a file that may run
code is read. `_networks`, `_pickled`, `_boosters` and `_graphs` read the kinds of files into an `Original`;
`_estimators`, `_transformers` and `_trees` turn what they hold into nodes; `_inputs` finds out what the model reads;
`_convert` puts it together and compares it with the original on `_rows`. Whatever can't be read, converted or told is
refused by all of them (`Refused`), in a sentence that says why; nothing is guessed.
"""
