// What libFuzzer's run time without a main of its own offers: llvm.org/docs/LibFuzzer.html, "Using libFuzzer as a library".
#pragma once
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*take)(const unsigned char *data, unsigned long size));
