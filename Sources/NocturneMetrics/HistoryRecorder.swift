// HistoryRecorder.swift
struct HistoryRecorder {
    mutating func begin(tick: UInt32, at: Int64) {}
    mutating func end() {}
    mutating func note(_ s: Sketch?) {}
    mutating func append(_ c: HistoryColumn, of: HistoryFamily) {}
}
