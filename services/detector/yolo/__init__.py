"""Page rasters in, detections out: the only place in the detector that knows YOLO and its runtimes."""
