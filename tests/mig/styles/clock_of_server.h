/* What only the server needs. */
#define OF_SERVER 1
