#pragma once
// archive.h includes <sys/stat.h> and <time.h>. Taken from Swift's module of the C library first, their declarations stay
// that module's; otherwise they would belong, now and then, to this one, which nobody but Archives imports.
#pragma clang module import SwiftGlibc
#include <archive.h>
#include <archive_entry.h>
