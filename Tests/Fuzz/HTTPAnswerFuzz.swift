// libFuzzer: -max_len=4096 -use_value_profile=1

import WeirWire

/// Reads any bytes as an answer of HTTP, whole and in pieces: both must say the same, and keep no more than has come.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let answer = input[1...]
    let isToHead = first & 0x80 != 0
    let whole = outcome(answer, piece: answer.count, isToHead)
    precondition(whole == outcome(answer, piece: 1 + Int(first & 0x7f), isToHead), "pieces change nothing")
    // Most inputs are no answer: as the rest of one they get further.
    for head in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] {
        let begun = (Array(head.utf8) + answer)[...]
        precondition(
            outcome(begun, piece: begun.count, isToHead) == outcome(begun, piece: 1 + Int(first & 0x7f), isToHead),
            "pieces change nothing"
        )
    }
    return 0
}

private func outcome(_ bytes: ArraySlice<UInt8>, piece: Int, _ isToHead: Bool) -> Result<HTTPAnswer, HTTPAnswerError> {
    Result { () throws(HTTPAnswerError) in
        var reader = HTTPAnswerReader(isToHead: isToHead)
        var rest = bytes
        while !rest.isEmpty {
            if let answer = try reader.read(rest.prefix(piece)) { return check(answer, bytes.count) }
            rest = rest.dropFirst(piece)
        }
        return check(try reader.finish(), bytes.count)
    }
}

private func check(_ answer: HTTPAnswer, _ count: Int) -> HTTPAnswer {
    precondition((200...599).contains(answer.status), "an answer is final")
    precondition(answer.body.count <= count, "a body has come")
    return answer
}
