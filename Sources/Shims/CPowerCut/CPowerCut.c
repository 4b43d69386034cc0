#define _GNU_SOURCE
#include "CPowerCut.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  sqlite3_file base;
  int number;  // -1: not ours
  sqlite3_file *real;
} cut_file;

static sqlite3_vfs layer;
static sqlite3_vfs *under;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tl_recorded *recorded;
static int64_t count, room;
enum { WATCHED_MAX = 2 };
static char *watched[WATCHED_MAX];
static int recording;

static void record(int kind, int file, int64_t offset, int64_t length, const void *bytes) {
  if (file < 0) return;
  pthread_mutex_lock(&lock);
  if (recording) {
    if (count == room) {
      room = room ? room * 2 : 1024;
      recorded = realloc(recorded, (size_t)room * sizeof *recorded);
      if (!recorded) abort();
    }
    uint8_t *copy = NULL;
    if (bytes) {
      copy = malloc((size_t)length);
      if (!copy) abort();
      memcpy(copy, bytes, (size_t)length);
    }
    recorded[count++] = (tl_recorded){kind, file, offset, length, copy};
  }
  pthread_mutex_unlock(&lock);
}

static int ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}
static int number_of(const char *path) {
  int mine = -1;
  pthread_mutex_lock(&lock);
  for (int i = 0; path && i < WATCHED_MAX && mine < 0; i++)
    if (watched[i] && strncmp(path, watched[i], strlen(watched[i])) == 0 && !ends_with(path, "-shm"))
      mine = 3 * i + (ends_with(path, "-wal") ? 1 : ends_with(path, "-journal") ? 2 : 0);
  pthread_mutex_unlock(&lock);
  return mine;
}

#define REAL(file) (((cut_file *)(file))->real)
#define CALL(file, method, ...) (REAL(file)->pMethods->method(REAL(file), ##__VA_ARGS__))

static int f_close(sqlite3_file *f) { return CALL(f, xClose); }
static int f_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at) { return CALL(f, xRead, to, n, at); }
static int f_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at) {
  int code = CALL(f, xWrite, from, n, at);
  if (code == SQLITE_OK) record(TL_WRITE, ((cut_file *)f)->number, at, n, from);
  return code;
}
static int f_truncate(sqlite3_file *f, sqlite3_int64 size) {
  int code = CALL(f, xTruncate, size);
  if (code == SQLITE_OK) record(TL_TRUNCATE, ((cut_file *)f)->number, size, 0, NULL);
  return code;
}
static int f_sync(sqlite3_file *f, int flags) {
  int code = CALL(f, xSync, flags);
  if (code == SQLITE_OK) record(TL_SYNC, ((cut_file *)f)->number, 0, 0, NULL);
  return code;
}
static int f_size(sqlite3_file *f, sqlite3_int64 *size) { return CALL(f, xFileSize, size); }
static int f_lock(sqlite3_file *f, int how) { return CALL(f, xLock, how); }
static int f_unlock(sqlite3_file *f, int how) { return CALL(f, xUnlock, how); }
static int f_reserved(sqlite3_file *f, int *out) { return CALL(f, xCheckReservedLock, out); }
static int f_control(sqlite3_file *f, int op, void *arg) {
  // What the real file may do by itself would pass us by.
  if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
  return CALL(f, xFileControl, op, arg);
}
static int f_sector(sqlite3_file *f) { return CALL(f, xSectorSize); }
// No promises: neither atomic writes, nor safe appends, nor that neighbours of a write survive.
static int f_facts(sqlite3_file *f) { (void)f; return 0; }
static int f_shm_map(sqlite3_file *f, int r, int n, int e, void volatile **p) { return CALL(f, xShmMap, r, n, e, p); }
static int f_shm_lock(sqlite3_file *f, int o, int n, int flags) { return CALL(f, xShmLock, o, n, flags); }
static void f_shm_barrier(sqlite3_file *f) { CALL(f, xShmBarrier); }
static int f_shm_unmap(sqlite3_file *f, int d) { return CALL(f, xShmUnmap, d); }

static const sqlite3_io_methods methods = {
  2,       f_close,  f_read,     f_write,   f_truncate, f_sync,  f_size,    f_lock,        f_unlock,
  f_reserved, f_control, f_sector, f_facts, f_shm_map,  f_shm_lock, f_shm_barrier, f_shm_unmap, NULL, NULL,
};

static int v_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out) {
  (void)v;
  cut_file *mine = (cut_file *)f;
  mine->real = (sqlite3_file *)(mine + 1);
  mine->number = number_of(path);
  int code = under->xOpen(under, path, mine->real, flags, out);
  mine->base.pMethods = mine->real->pMethods ? &methods : NULL;
  return code;
}
static int v_delete(sqlite3_vfs *v, const char *path, int sync) {
  (void)v;
  int code = under->xDelete(under, path, sync);
  if (code == SQLITE_OK) record(TL_REMOVE, number_of(path), sync, 0, NULL);
  return code;
}

int tl_record_start(const char *path, const char *second) {
  if (!under) {
    under = sqlite3_vfs_find(NULL);
    layer = *under;
    layer.szOsFile = (int)sizeof(cut_file) + under->szOsFile;
    layer.zName = "throughline-power-cut";
    layer.pNext = NULL;
    layer.xOpen = v_open;
    layer.xDelete = v_delete;
    int code = sqlite3_vfs_register(&layer, 1);
    if (code != SQLITE_OK) return code;
  }
  pthread_mutex_lock(&lock);
  for (int64_t i = 0; i < count; i++) free((void *)recorded[i].bytes);
  count = 0;
  const char *paths[WATCHED_MAX] = {path, second};
  for (int i = 0; i < WATCHED_MAX; i++) {
    free(watched[i]);
    watched[i] = paths[i] ? strdup(paths[i]) : NULL;
  }
  recording = 1;
  pthread_mutex_unlock(&lock);
  return SQLITE_OK;
}

void tl_record_mark(int64_t number) { record(TL_MARK, 0, number, 0, NULL); }
void tl_record_note(int64_t number) { record(TL_NOTE, 0, number, 0, NULL); }

int64_t tl_record_stop(void) {
  pthread_mutex_lock(&lock);
  recording = 0;
  int64_t result = count;
  pthread_mutex_unlock(&lock);
  return result;
}

tl_recorded tl_record_at(int64_t index) { return recorded[index]; }

// MARK: A disk that cannot be read

static struct stat refused;
static int64_t refused_from, refused_to;

static ssize_t read_or_refuse(int file, void *to, size_t room, off_t at) {
  struct stat it;
  pthread_mutex_lock(&lock);
  int is_refused = at >= refused_from && at < refused_to && fstat(file, &it) == 0 && it.st_ino == refused.st_ino &&
                   it.st_dev == refused.st_dev;
  pthread_mutex_unlock(&lock);
  if (!is_refused) return pread(file, to, room, at);
  errno = EIO;
  return -1;
}

int tl_refuse_reads(const char *path, int64_t from, int64_t to) {
  static int is_installed;
  pthread_mutex_lock(&lock);
  refused_from = from;
  refused_to = to;
  int code = stat(path, &refused);
  if (!is_installed) {
    sqlite3_vfs *unix_files = sqlite3_vfs_find("unix");
    const char *names[] = {"pread", "pread64"};
    for (int i = 0; i < 2; i++)
      if (unix_files->xGetSystemCall(unix_files, names[i]))
        unix_files->xSetSystemCall(unix_files, names[i], (sqlite3_syscall_ptr)read_or_refuse);
    is_installed = 1;
  }
  pthread_mutex_unlock(&lock);
  return code;
}
