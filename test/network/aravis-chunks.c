// Aravis' own reading of the chunks of a camera: switches chunk mode on, takes frames, prints of each its block id and timestamp, and what the
// chunks say of them. Arguments: address, frames.
#include <arv.h>
#include <stdio.h>
#include <stdlib.h>

static void give_up(const char* what, GError* error) {
  fprintf(stderr, "%s: %s\n", what, error != NULL ? error->message : "failed");
  exit(1);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  GError* error = NULL;
  ArvCamera* camera = arv_camera_new(argv[1], &error);
  if (camera == NULL) give_up("camera", error);
  arv_camera_set_boolean(camera, "ChunkModeActive", TRUE, &error);
  if (error != NULL) give_up("ChunkModeActive", error);
  ArvChunkParser* parser = arv_camera_create_chunk_parser(camera);
  ArvStream* stream = arv_camera_create_stream(camera, NULL, NULL, &error);
  if (stream == NULL) give_up("stream", error);
  const guint payload = arv_camera_get_payload(camera, &error);
  if (error != NULL) give_up("payload", error);
  for (int i = 0; i < 8; ++i) arv_stream_push_buffer(stream, arv_buffer_new(payload, NULL));
  arv_camera_start_acquisition(camera, &error);
  if (error != NULL) give_up("start", error);
  for (int left = atoi(argv[2]); left > 0;) {
    ArvBuffer* buffer = arv_stream_timeout_pop_buffer(stream, 5000000);
    if (buffer == NULL) give_up("no buffer", NULL);
    if (arv_buffer_get_status(buffer) == ARV_BUFFER_STATUS_SUCCESS) {
      const gint64 id = arv_chunk_parser_get_integer_value(parser, buffer, "ChunkFrameID", &error);
      if (error != NULL) give_up("ChunkFrameID", error);
      const gint64 time = arv_chunk_parser_get_integer_value(parser, buffer, "ChunkTimestamp", &error);
      if (error != NULL) give_up("ChunkTimestamp", error);
      printf("%llu %llu %lld %lld\n", (unsigned long long)arv_buffer_get_frame_id(buffer),
             (unsigned long long)arv_buffer_get_timestamp(buffer), (long long)id, (long long)time);
      --left;
    }
    arv_stream_push_buffer(stream, buffer);
  }
  arv_camera_stop_acquisition(camera, &error);
  g_object_unref(stream);
  g_object_unref(parser);
  g_object_unref(camera);
  return 0;
}
