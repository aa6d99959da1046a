"""PyTorch loop that logs to W&B.

start: wandb-repro run
change: weight decay in epoch 2
unchanged: identical
changed: diverged
names: row 2
needs: torch
"""

import torch
import wandb
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

run = wandb.init(project="torch", config={"lr": 0.05, "epochs": 4})
torch.manual_seed(3)

x = torch.randn(64, 4)
y = (x.sum(dim=1, keepdim=True) > 0).float()
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)

model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
loss_function = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=run.config["lr"])

for epoch in range(1, run.config["epochs"] + 1):
    total = 0.0
    # also: optimizer.param_groups[0]["weight_decay"] = 0.1 if epoch == 2 else 0.01
    for features, labels in loader:
        optimizer.zero_grad()
        loss = loss_function(model(features), labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
    run.log({"epoch": epoch, "loss": total})
torch.save(model.state_dict(), "model.pt")
run.finish()
