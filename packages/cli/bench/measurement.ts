/** What a process says that loaded a file into a model. */
export interface LoadMeasurement {
  readonly fileBytes: number;
  /** from opening the file until the model has the weights */
  readonly milliseconds: number;
  /** the most memory that the process ever had */
  readonly peakBytes: number;
  /** the same before the file was opened, with the program loaded and the model built */
  readonly bytesBefore: number;
  /** sum of the magnitudes of all weights, to see that both programs loaded the same */
  readonly checksum: number;
}

/** What a process says that opened a large file. */
export interface LargeMeasurement {
  readonly openMilliseconds: number;
  readonly openAgainMilliseconds: number;
  readonly readMilliseconds: number;
  /** bytes that were read from the file, by opening it and by reading one tensor */
  readonly openBytes: number;
  readonly readBytes: number;
}
