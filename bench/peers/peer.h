// What the comparison programs share: the conversation with the harness (lib/bench/line-process.ts), the clock, and CPU time of this
// process and of its threads by name. Thread: main.
#pragma once

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t process_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// CPU of all threads of this process whose name begins so; the main thread's for "".
static inline uint64_t thread_ns(const char* prefix) {
  DIR* tasks = opendir("/proc/self/task");
  uint64_t sum = 0;
  const struct dirent* entry;
  while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
    if (entry->d_name[0] == '.') continue;
    char path[300], name[64] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
    FILE* file = fopen(path, "r");
    if (file == NULL) continue;
    if (fgets(name, sizeof name, file) == NULL) name[0] = 0;
    fclose(file);
    const int wanted = prefix[0] == 0 ? atoi(entry->d_name) == getpid() : strncmp(name, prefix, strlen(prefix)) == 0;
    if (!wanted) continue;
    snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", entry->d_name);
    file = fopen(path, "r");
    if (file == NULL) continue;
    unsigned long long ns = 0;
    if (fscanf(file, "%llu", &ns) == 1) sum += ns;
    fclose(file);
  }
  if (tasks != NULL) closedir(tasks);
  return sum;
}

// The next line's command, or 0 at the end of the input.
static inline int next_command(char* line, int size) { return fgets(line, size, stdin) != NULL; }

static inline int is_command(const char* line, const char* name) {
  char wanted[64];
  snprintf(wanted, sizeof wanted, "{\"do\":\"%s\"", name);
  return strncmp(line, wanted, strlen(wanted)) == 0;
}

static inline void fail(const char* message) {
  printf("{\"error\":{\"message\":\"%s\"}}\n", message);
  fflush(stdout);
  exit(1);
}
