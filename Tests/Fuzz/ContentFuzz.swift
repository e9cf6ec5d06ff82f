// modules: WeirAnalysis WeirEngine
// libFuzzer: -max_len=4096 -use_value_profile=1

import WeirAnalysis
import WeirWire

/// Takes any bytes for a message of HTTP: its name, command and archive must be safe, whatever it says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    check(ExportName(target: String(decoding: input, as: UTF8.self)))
    check(ExportName(path: String(decoding: input, as: UTF8.self)))
    for head in ["", "GET /", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] {
        let bytes = Array(head.utf8) + input
        guard let content = HTTPContent(HeldBytes.Content(bytes: bytes), isComplete: true) else { continue }
        precondition(content.body.count <= bytes.count && content.headSize <= bytes.count, "what is read was there")
        check(ExportName(target: String(decoding: content.target, as: UTF8.self), mediaType: content.mediaType))
        let endpoint = Endpoint(address: .loopbackV4, port: 80)
        var output = ByteBuffer()
        CurlCommand.append(content, server: endpoint, to: &output)
        precondition(
            ShellText.isSafe(output.withUnsafeBytes { Array($0) }),
            "a command has nothing that a terminal must not get"
        )
        let part = HTTPExchange.Part(content: content, firstTime: 0, time: .max)
        checkArchive(content.isRequest ? part : nil, content.isRequest ? nil : part, endpoint)
    }
    return 0
}

private func check(_ name: ExportName) {
    precondition(!name.components.isEmpty && name.components.count <= 17, "a name has parts, and not too many")
    for component in name.components {
        precondition(!component.isEmpty && !component.hasPrefix(".") && component.utf8.count <= 206, "a part is a name")
        let isSafe = component.unicodeScalars.allSatisfy { $0 != "/" && SafeText.isSafe($0.value) }
        precondition(isSafe, "a part leads nowhere, and is safe for a terminal")
    }
}

/// Writes an archive with an exchange, whose other message is a plain one, and reads it.
private func checkArchive(_ request: HTTPExchange.Part?, _ answer: HTTPExchange.Part?, _ endpoint: Endpoint) {
    let plain = HeldBytes.Content(bytes: Array("GET / HTTP/1.1\r\n\r\n".utf8))
    guard let other = HTTPContent(plain, isComplete: true) else { preconditionFailure("a plain request is one") }
    let known = request ?? HTTPExchange.Part(content: other)
    var writer = HARWriter(version: "1")
    var output = ByteBuffer()
    writer.begin(to: &output)
    writer.append(
        HTTPExchange(place: 0, number: 1, request: known, answer: answer),
        HARWriter.Connection(flow: 1, client: endpoint, server: endpoint),
        requestBody: HARWriter.Body(bytes: known.content.body),
        answerBody: HARWriter.Body(bytes: answer?.content.body ?? []),
        to: &output
    )
    writer.finish(to: &output)
    do throws(JSONError) {
        let archive = try JSONParser.parseWhole(output.withUnsafeBytes { Array($0) })
        precondition(archive["log"]?["entries"]?.arrayValue?.count == 1, "an archive has its entry")
    } catch {
        preconditionFailure("an archive is JSON: \(error)")
    }
}
