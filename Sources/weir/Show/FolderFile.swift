import WeirAnalysis
import WeirCapture
import WeirEngine
import WeirWire

/// A capture or a log in a folder, as far as its place among the others depends on it.
struct FolderFile: Comparable {
    let path: String
    private let name: String
    /// The time of the first packet; nil if there is none.
    private var time: Int64?
    /// Whether it is a log.
    private(set) var isLog = false
    /// A flow of the relay that recorded it; nil for logs and for captures of other programs.
    private(set) var flow: RelayedFlow?
    /// The numbers of the runs, from 1, that are left out of a log.
    var runsLeftOut: Set<Int> = []

    /// Reads the beginning of a file; what cannot be read is told when it is its turn.
    init(path: String, name: String) {
        self.path = path
        self.name = name
        do {
            var file = try CaptureFile(path)
            var namesFlows = false
            while let item = try file.next() {
                switch item {
                case .block(.section(let section)): namesFlows = section.comments.contains(FlowPath.statement)
                case .block: break
                case .packet(let packet):
                    if time == nil { time = packet.timestamp }
                    flow = Self.flow(in: file.metadata(of: packet).options.comments)
                }
                // A capture from an interface can have other packets before those of the relay.
                if time != nil, flow != nil || !namesFlows { break }
            }
            isLog = file.isLog
        } catch {
            // It is told when the file is read.
        }
        if isLog { flow = nil }
    }

    /// The maximum numbers of flows and of packets that are looked at to find a log of the same run.
    private static let (mostFlows, mostPackets) = (1000, 100_000)

    /// Returns the first flows of the relay that recorded the capture: a log may have been told to leave out some.
    func firstFlows() -> [RelayedFlow] {
        guard flow != nil else { return [] }
        var found: [RelayedFlow] = []
        var packets = 0
        do {
            var file = try CaptureFile(path)
            while found.count < Self.mostFlows, packets < Self.mostPackets, let item = try file.next() {
                guard case .packet(let packet) = item else { continue }
                packets += 1
                if let flow = Self.flow(in: file.metadata(of: packet).options.comments) { found.append(flow) }
            }
        } catch {
            // It is told when the file is read.
        }
        return found
    }

    /// Returns the flow that the comments of a packet name.
    private static func flow(in comments: [String]) -> RelayedFlow? {
        guard let recorded = comments.lazy.compactMap({ RecordedPath(comment: $0) }).first else { return nil }
        let path = recorded.path
        return RelayedFlow(
            number: recorded.number,
            client: path.client,
            listener: path.listener,
            egress: path.egress,
            server: path.server
        )
    }

    /// Orders files by their first packets; those without one come first, and names decide the rest.
    static func < (left: FolderFile, right: FolderFile) -> Bool {
        switch (left.time, right.time) {
        case (let left?, let right?) where left != right: left < right
        case (nil, _?): true
        case (_?, nil): false
        default: isBefore(left.name, right.name)
        }
    }

    /// Returns whether a name comes before another, with numbers in them in the order of their values, as in
    /// `cap.pcap9` and `cap.pcap10`.
    static func isBefore(_ left: String, _ right: String) -> Bool {
        var (left, right) = (Array(left.utf8)[...], Array(right.utf8)[...])
        while let first = left.first, let second = right.first {
            if isDigit(first), isDigit(second) {
                let (one, other) = (takeNumber(&left), takeNumber(&right))
                if one.count != other.count { return one.count < other.count }
                if one != other { return one.lexicographicallyPrecedes(other) }
                continue
            }
            guard first == second else { return first < second }
            left = left.dropFirst()
            right = right.dropFirst()
        }
        return left.isEmpty && !right.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// Takes the digits at the start of a text, without leading zeros.
    private static func takeNumber(_ text: inout ArraySlice<UInt8>) -> [UInt8] {
        let digits = text.prefix { isDigit($0) }
        text = text.dropFirst(digits.count)
        return Array(digits.drop { $0 == 0x30 })
    }
}

/// The choice between captures and logs of the same run of a relay: the capture has all that the log has, and more.
enum RunMatching {
    /// Leaves out the runs of logs that captures have, and the logs of which nothing is left.
    ///
    /// - Parameter files: The files of a folder.
    /// - Returns: What was left out, a line for each.
    static func leaveOut(_ files: inout [FolderFile]) -> [String] {
        guard files.contains(where: \.isLog) else { return [] }
        var captures: [RelayedFlow: String] = [:]
        for file in files {
            for flow in file.firstFlows() where captures[flow] == nil { captures[flow] = file.path }
        }
        guard !captures.isEmpty else { return [] }
        var notes: [String] = []
        var kept: [FolderFile] = []
        for var file in files {
            guard file.isLog, let runs = runs(of: file, captures), !runs.found.isEmpty else {
                kept.append(file)
                continue
            }
            let names = runs.found.sorted { $0.key < $1.key }.map { ($0.key, captures[$0.value] ?? "") }
            if runs.count == names.count, let first = names.first?.1 {
                let others = Set(names.map(\.1)).count - 1
                let more = others == 0 ? " is" : " and \(others) more are"
                notes.append("'\(file.path)' is not read: '\(first)'\(more) of the same run; name the log to read it")
                continue
            }
            for (run, capture) in names {
                let advice = "'\(capture)' is of that run; name the log to read it"
                notes.append("run \(run) in '\(file.path)' is not read: \(advice)")
            }
            file.runsLeftOut = Set(runs.found.keys)
            kept.append(file)
        }
        files = kept
        return notes
    }

    private static func runs(of file: FolderFile, _ captures: [RelayedFlow: String]) -> FoundRuns? {
        do {
            var log = try CaptureFile(file.path)
            return try log.runs(opening: Set(captures.keys))
        } catch {
            // It is told when the file is read.
            return nil
        }
    }
}
