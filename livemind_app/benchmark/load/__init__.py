"""Many typing users on one server: `livemind bench load`.

server   the whole server on the scripted engine, where none is named
user     one user: types, edits, loses the connection, submits
tally    what all of them saw
command  the arguments, and the file of figures
"""
