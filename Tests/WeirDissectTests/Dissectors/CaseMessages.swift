import Support
import WeirDissect
import WeirWire

/// The flows and messages of one small capture.
struct CaseMessages {
    private(set) var said: [String] = []
    private(set) var fields: [[String]] = []
    private(set) var flows: [ObservedFlow] = []

    /// Reads a file of `Cases`.
    init(_ name: String) throws { try self.init(bytes: Cases.read(name)) }

    /// Reads a capture.
    init(bytes file: [UInt8]) throws {
        var (reader, said, fields): (CaptureReader, [String], [[String]]) = (CaptureReader(), [], [])
        var found = CaptureFlows()
        var dissector = CaptureDissector()
        func note(_ flow: Int, _ message: Message) {
            var text = "\(message.direction.label) \(message.range) \(message.name) \(message.summary.string)"
            if !message.isComplete { text += " (incomplete)" }
            if let answer = message.answer { text += " answers @\(answer.request)" }
            said.append(flow == 0 ? text : "\(flow) " + text)
            fields.append(message.fieldLines)
        }
        while let item = try reader.next(in: file.span.bytes) {
            guard case .packet(let packet) = item else { continue }
            let bytes = file.span.bytes.extracting(packet.range)
            found.add(packet, bytes)
            dissector.add(packet, bytes, in: found, to: note)
        }
        dissector.finish(to: note)
        (self.said, self.fields) = (said, fields)
        flows = (0..<found.table.count).map { found.table[$0] }
    }
}
