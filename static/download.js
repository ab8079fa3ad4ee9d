// Hands a file to the user.

export function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a browser may read it late
}

export const downloadText = (name, type, text) => download(name, new Blob([text], { type: `${type};charset=utf-8` }));
