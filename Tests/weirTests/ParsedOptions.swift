import ArgumentParser
import Testing

/// Returns the reason why arguments are refused; nil if they are taken.
func refusal<Arguments: ParsableArguments>(_ type: Arguments.Type, _ arguments: [String]) -> String? {
    do {
        _ = try type.parse(arguments)
        return nil
    } catch {
        return type.message(for: error)
    }
}
