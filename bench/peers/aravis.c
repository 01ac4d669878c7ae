// Aravis 0.8 as a receiver, through its library and as its documentation shows: it opens the camera, and the main thread pops finished
// buffers and gives them back at once. Arguments: socket|ring|default, address, packet size, payload bytes. "socket" asks for a queue of
// 16 MiB, "default" leaves its settings as they are; both are plain sockets. "ring" is its packet socket, which needs CAP_NET_RAW.
#include <arv.h>
#include <pthread.h>

#include "peer.h"

enum { kBuffers = 64, kQueueBytes = 16 << 20, kSeen = 1 << 18 };
static const uint64_t kPopUs = 20000;

static ArvStream* stream;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;  // of everything below, between main and the popping thread
static uint64_t frames, broken, seen_count;
static uint64_t seen[2 * kSeen];
static int watching, over;

// Frames are popped by a thread of their own: main waits for the harness.
static void* pop(void* unused) {
  (void)unused;
  pthread_setname_np(pthread_self(), "pop");
  for (;;) {
    ArvBuffer* buffer = arv_stream_timeout_pop_buffer(stream, kPopUs);
    const uint64_t now = now_ns();
    pthread_mutex_lock(&mutex);
    if (over) {
      pthread_mutex_unlock(&mutex);
      if (buffer != NULL) arv_stream_push_buffer(stream, buffer);
      return NULL;
    }
    if (buffer != NULL) {
      if (arv_buffer_get_status(buffer) == ARV_BUFFER_STATUS_SUCCESS) {
        ++frames;
        if (watching && seen_count < kSeen) {
          seen[2 * seen_count] = arv_buffer_get_frame_id(buffer);
          seen[2 * seen_count + 1] = now;
          ++seen_count;
        }
      } else {
        ++broken;
      }
    }
    pthread_mutex_unlock(&mutex);
    if (buffer != NULL) arv_stream_push_buffer(stream, buffer);
  }
}

struct snapshot {
  uint64_t time, cpu, thread, popping, frames, broken, packets, missing;
};

static struct snapshot take(void) {
  struct snapshot s = {now_ns(), process_ns(), thread_ns("arv_gv_stream"), thread_ns("pop"), 0, 0, 0, 0};
  pthread_mutex_lock(&mutex);
  s.frames = frames;
  s.broken = broken;
  pthread_mutex_unlock(&mutex);
  s.packets = arv_stream_get_info_uint64_by_name(stream, "n_received_packets");
  s.missing = arv_stream_get_info_uint64_by_name(stream, "n_missing_packets");
  return s;
}

static void answer(const struct snapshot* begin, const struct snapshot* end) {
  printf("{\"seconds\":%.6f,\"packets\":%llu,\"frames\":%llu,\"lost\":%llu,\"framesLost\":%llu,\"cpuNs\":%llu,"
         "\"threadNs\":%llu,\"mainNs\":%llu,\"seen\":[",
         (double)(end->time - begin->time) / 1e9, (unsigned long long)(end->packets - begin->packets),
         (unsigned long long)(end->frames - begin->frames), (unsigned long long)(end->missing - begin->missing),
         (unsigned long long)(end->broken - begin->broken), (unsigned long long)(end->cpu - begin->cpu),
         (unsigned long long)(end->thread - begin->thread), (unsigned long long)(end->popping - begin->popping));
  for (uint64_t i = 0; i < 2 * seen_count; ++i) {
    printf("%s%llu", i == 0 ? "" : ",", (unsigned long long)seen[i]);
  }
  printf("]}\n");
}

int main(int argc, char** argv) {
  if (argc < 5) fail("usage: aravis socket|ring|default <address> <packet size> <payload bytes>");
  const char* mode = argv[1];
  GError* error = NULL;
  ArvCamera* camera = arv_camera_new(argv[2], &error);
  if (camera == NULL) fail("Aravis cannot open the camera");
  arv_camera_gv_set_packet_size_adjustment(camera, ARV_GV_PACKET_SIZE_ADJUSTMENT_NEVER);
  arv_camera_gv_set_packet_size(camera, atoi(argv[3]), NULL);
  arv_camera_gv_set_stream_options(camera, strcmp(mode, "ring") == 0 ? ARV_GV_STREAM_OPTION_NONE
                                                                     : ARV_GV_STREAM_OPTION_PACKET_SOCKET_DISABLED);
  stream = arv_camera_create_stream(camera, NULL, NULL, &error);
  if (stream == NULL) fail("Aravis cannot make a stream");
  if (strcmp(mode, "socket") == 0) {
    g_object_set(stream, "socket-buffer", ARV_GV_STREAM_SOCKET_BUFFER_FIXED, "socket-buffer-size", kQueueBytes, NULL);
  }
  const size_t payload = arv_camera_get_payload(camera, NULL);
  for (int i = 0; i < kBuffers; ++i) arv_stream_push_buffer(stream, arv_buffer_new(payload, NULL));
  arv_camera_set_acquisition_mode(camera, ARV_ACQUISITION_MODE_CONTINUOUS, NULL);
  pthread_t thread;
  if (pthread_create(&thread, NULL, pop, NULL) != 0) fail("cannot start a thread");
  arv_camera_start_acquisition(camera, &error);
  if (error != NULL) fail("Aravis cannot start the acquisition");
  printf("{\"ready\":true}\n");
  fflush(stdout);

  struct snapshot begin = take();
  char line[256];
  while (next_command(line, sizeof line)) {
    if (is_command(line, "measure")) {
      begin = take();
      pthread_mutex_lock(&mutex);
      watching = 1;
      pthread_mutex_unlock(&mutex);
      printf("{\"measuring\":true}\n");
    } else {
      const struct snapshot end = take();
      pthread_mutex_lock(&mutex);
      watching = 0;
      pthread_mutex_unlock(&mutex);
      answer(&begin, &end);
    }
    fflush(stdout);
  }
  arv_camera_stop_acquisition(camera, NULL);
  pthread_mutex_lock(&mutex);
  over = 1;
  pthread_mutex_unlock(&mutex);
  pthread_join(thread, NULL);
  g_object_unref(stream);
  g_object_unref(camera);
  return 0;
}
