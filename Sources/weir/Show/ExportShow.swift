import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirWire

/// The view that writes the bodies of HTTP, and the files of FTP and TFTP, into a folder.
struct ExportShow: ShowView, ~Copyable {
    private let folder: ExportFolder
    private var reading: HTTPReading
    private var ftp = FTPFiles()
    private var tftp = TFTPFiles()
    private var failure: Failure?
    private var files = 0

    /// Opens or creates the folder.
    ///
    /// - Throws: `Failure` if neither is possible.
    init(to path: String, _ query: FlowQuery?) throws(Failure) {
        folder = try ExportFolder(path)
        reading = HTTPReading(query)
    }

    var needsBytes: String? { "--export" }
    var isLive: Bool { true }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        reading.begin(metadata, in: flows)
    }

    mutating func take(_ block: CaptureBlock) { reading.take(block) }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        guard failure == nil else { return }
        for exchange in reading.add(packet, bytes, in: flows) { write(exchange, output) }
        // The second leg of a relayed flow has the same files.
        guard flows.hasFlow({ reading.joiner.stands($0) }) else { return }
        var found: [TransferredFile] = []
        tftp.add(bytes, in: flows) { found.append($0) }
        let server = flows.tcp.flatMap { reading.joiner.path($0.index)?.server?.port }
        ftp.add(packet, bytes, in: flows, server: server) { found.append($0) }
        for file in found where reading.isWanted(file.place, flows) { write(file, output) }
    }

    mutating func finish(
        _ flows: borrowing CaptureFlows,
        _ report: ShowReport,
        _ output: ShowOutput
    ) throws(Failure) {
        if failure == nil {
            for exchange in reading.finish(in: flows) { write(exchange, output) }
            var found: [TransferredFile] = []
            tftp.finish { found.append($0) }
            ftp.finish { found.append($0) }
            for file in found where reading.isWanted(file.place, flows) { write(file, output) }
        }
        if let failure { throw failure }
        let count = files
        output.write { $0.append("\(count) \(count == 1 ? "file" : "files") in \(folder.path)\n") }
    }

    // MARK: - Files

    private mutating func write(_ exchange: HTTPExchange, _ output: ShowOutput) {
        let target =
            exchange.request.map { String(decoding: $0.content.target, as: UTF8.self) } ?? "answer-\(exchange.number)"
        let label = "#\(reading.joiner.number(exchange.place)) http"
        if let request = exchange.request?.content, !request.body.isEmpty {
            let name = ExportName(target: target, mediaType: request.mediaType).adding(".request")
            write(request, named: name, "\(label) \(String(decoding: request.method, as: UTF8.self))", output)
        }
        if let answer = exchange.answer?.content, !answer.body.isEmpty {
            let name = ExportName(target: target, mediaType: answer.mediaType)
            write(answer, named: name, "\(label) \(answer.status)", output)
        }
    }

    private mutating func write(_ content: HTTPContent, named name: ExportName, _ label: String, _ output: ShowOutput) {
        let body = HTTPReading.inflated(content)
        var notes: [String] = []
        if !body.undone.isEmpty { notes.append("\(body.undone.joined(separator: ", ")) undone") }
        if let trouble = body.trouble { notes.append(trouble) }
        if content.missing > 0 { notes.append("\(content.missing) bytes were not captured, zeros are in their place") }
        if content.leftOut > 0 { notes.append("cut: \(content.leftOut) further bytes are more than are kept") }
        if content.isCut, content.missing == 0, content.leftOut == 0 { notes.append("not captured to its end") }
        let type = content.mediaType.isEmpty ? "" : " \(SafeText.escaped(String(content.mediaType.prefix(64))))"
        write(body.bytes, named: name, SafeText.escaped(label) + type, notes, output)
    }

    private mutating func write(_ file: TransferredFile, _ output: ShowOutput) {
        var notes: [String] = []
        if file.missing > 0 { notes.append("\(file.missing) bytes were not captured, zeros are in their place") }
        if file.leftOut > 0 { notes.append("cut: \(file.leftOut) further bytes are more than are kept") }
        if !file.hasEnd { notes.append("not captured to its end") }
        let label = "#\(reading.joiner.number(file.place)) \(file.kind) \(file.isUpload ? "up" : "down")"
        write(file.bytes, named: ExportName(path: file.name), label, notes, output)
    }

    /// Writes a file, and a line about it.
    private mutating func write(
        _ bytes: [UInt8],
        named name: ExportName,
        _ label: String,
        _ notes: [String],
        _ output: ShowOutput
    ) {
        guard failure == nil else { return }
        do throws(Failure) {
            let path = try folder.write(bytes, named: name)
            files += 1
            let note = notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"
            output.write { $0.append("\(SafeText.escaped(path))  \(bytes.count) B  \(label)\(note)\n") }
        } catch {
            failure = error
        }
    }
}
