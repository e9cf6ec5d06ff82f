// libFuzzer: -max_len=8192

import WeirWire

/// Reads any bytes as JSON; what is read and written again is the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let whole = parsed { () throws(JSONError) in try JSONParser.parseWhole(input) }
    let first = parsed { () throws(JSONError) in try JSONParser.parse(input) }
    if let whole { precondition(first == whole, "a whole text is its first value") }
    guard let first else { return 0 }
    let again = parsed { () throws(JSONError) in try JSONParser.parseWhole(first.bytes) }
    precondition(again == first, "what is written is read back as it was")
    for member in first.members ?? [] { _ = first[member.key]?.stringValue.flatMap(Base64.decode) }
    _ = (first.intValue, first.doubleValue, first.kind)
    return 0
}

private func parsed(_ parse: () throws(JSONError) -> JSONValue) -> JSONValue? {
    do throws(JSONError) {
        return try parse()
    } catch {
        precondition(!error.description.isEmpty && error.offset >= 0, "an error has words and a place")
        return nil
    }
}
