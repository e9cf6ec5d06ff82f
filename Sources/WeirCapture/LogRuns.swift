import WeirEngine

/// The runs of a relay whose records are in one log: a relay that starts again appends to its log.
///
/// Each run numbers its flows from 1. Those of the first run keep their numbers; to those of a later one the highest
/// number before it is added, so that no number means two flows.
struct LogRuns: Sendable {
    /// The number of runs so far: that of the run of the last record, from 1.
    private(set) var count = 1
    /// What is added to the flow numbers of each run.
    private(set) var added: [UInt64] = [0]
    /// The numbers of the flows that this run opened, as the relay gave them.
    private var opened: Set<UInt64> = []
    /// The highest number so far, after the addition.
    private var highest: UInt64 = 0
    /// The flow of the last record as it was read, and with its number in the log.
    private var last: (read: FlowSubject, renumbered: FlowSubject)?

    /// Notes that a record opens a flow.
    ///
    /// - Returns: Whether it begins another run: its number was given already.
    mutating func open(_ flow: FlowID) -> Bool {
        guard !opened.insert(flow.rawValue).inserted else { return false }
        count += 1
        added.append(highest)
        opened = [flow.rawValue]
        last = nil
        return true
    }

    /// Returns a record of this run with the number of its flow in the log.
    mutating func renumber(_ record: FlowRecord) -> FlowRecord {
        let number = number(record.flow.rawValue)
        highest = max(highest, number)
        guard number != record.flow.rawValue else { return record }
        if last?.read !== record.subject {
            last = (record.subject, FlowSubject(FlowID(number), record.transport, record.path))
        }
        guard let subject = last?.renumbered else { return record }
        return FlowRecord(of: subject, moment: record.moment, happening: record.happening)
    }

    private func number(_ flow: UInt64) -> UInt64 {
        let (number, isTooHigh) = flow.addingReportingOverflow(added[count - 1])
        return isTooHigh ? .max : number
    }

    /// What a reader must know of the numbers, in words that follow the file's name; nil if there is one run.
    var note: String? {
        guard count > 1 else { return nil }
        let named = added.dropFirst().prefix(Self.named).enumerated().map { index, added in
            "#\(added == .max ? .max : added + 1) is #1 of run \(index + 2)"
        }
        let rest = count - 1 > Self.named ? ", and so on" : ""
        return "\(count) runs of a relay, whose flows are numbered on: " + named.joined(separator: ", ") + rest
    }

    /// The maximum number of runs that the note names.
    private static let named = 3
}
