/* C types of servers/defs/server_types.defs. */
#ifndef _MACHEMU_SERVER_TYPES_H_
#define _MACHEMU_SERVER_TYPES_H_

#define SERVER_PATH_MAX      256
#define SERVER_ARGUMENTS_MAX 2048

typedef char server_name_t[64];
typedef char server_path_t[SERVER_PATH_MAX];
typedef char server_arguments_t[SERVER_ARGUMENTS_MAX];
typedef char *server_text_t;
typedef char process_record_t[128];
typedef char acs_registration_t[72];

#endif
