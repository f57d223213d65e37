#ifndef _MALLOC_H_
#define _MALLOC_H_

#include <stdlib.h>

#endif
