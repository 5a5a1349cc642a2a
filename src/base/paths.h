/* Where files of ours are. */
#pragma once

/* Read-only files of the package: $HIFI_DATADIR, else where they were installed. */
const char *path_datadir(void);
